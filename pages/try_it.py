"""Try it: type a text, see what the model makes of it. The example of Streamlit's own caching guide."""

import streamlit as st

from elements import labels, messages
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
    messages.empty("The label and how sure the model is will be shown here.")
    st.stop()

try:
    prediction = results.get_prediction(text[:MOST])
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
    st.warning(f"The text is longer than what the model reads: {classifier.max_length} tokens.")
st.caption(f"Model {messages.plain(classifier.model_id)} on {classifier.device}, {classifier.precision}")
