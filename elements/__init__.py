"""What pages are made of besides Streamlit's own elements. Nothing from a database is ever Markdown here."""
