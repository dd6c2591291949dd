"""The web application: the one place that knows Gradio and FastAPI."""
