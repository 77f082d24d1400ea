"""Try it: type a text, see what the model makes of it. The example of Streamlit's own caching guide."""

import streamlit as st

from elements import highlights, labels, messages
from resources import model, results
from undertone import errors

MOST = 20_000

st.title("Try it")
st.caption("The model is loaded once and shared by everybody who has this page open. Nothing that you type is stored.")
text = st.text_area(
    "Text",
    placeholder="The kettle is lovely, but it took three weeks to arrive.",
    max_chars=MOST,
    key="try_it_text",
    height=140,
)
st.button("Classify", type="primary", icon=":material/sentiment_satisfied:", key="try_it_classify")
if not text.strip():
    messages.empty("The label, how sure the model is and the words that carried the label will be shown here.")
    st.stop()

text = text[:MOST]
try:
    prediction = results.get_prediction(text)
    classifier = model.get_classifier()
except errors.UndertoneError as error:
    messages.error(error)
    st.stop()

if prediction.label is None:
    st.info(f"There is nothing to read: {messages.plain(prediction.reason)}.")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.badge(messages.plain(labels.title(prediction.label)), color=labels.BADGES.get(prediction.label, "violet"))
    st.caption(f"{prediction.confidence:.1%} sure")
labels.bars(prediction.probabilities, axis="probability", form=".0%")
if prediction.truncated:
    read = min(max(round(100 * prediction.share), 1), 99)
    st.warning(f"The first {read} % of the text were read: {classifier.text_tokens:,} tokens.")
# Below what takes a moment: its place is kept.
explained = st.container()
st.caption(
    f"Model {messages.plain(classifier.model_id)} on {classifier.engine}, {classifier.device}, {classifier.precision}"
)

with explained:
    st.subheader("Words that mattered")
    try:
        highlights.words(text, results.get_explanation(text))
    except errors.UndertoneError as error:
        messages.error(error)
