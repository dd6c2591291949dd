"""The words the bot is given and the words it gives, one file a purpose, loaded once and checked."""
