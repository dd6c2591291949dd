"""The API for programs: OpenAI-compatible chat, answers, search and documents, behind keys."""
