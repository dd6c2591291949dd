"""The chat page: the one package that imports Gradio."""
