"""The HTTP API for programs: OpenAI-compatible chat, answers, search and documents, authenticated by API keys."""
