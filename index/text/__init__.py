"""Text as it is compared and cut: words, sentences, characters that nobody sees."""
