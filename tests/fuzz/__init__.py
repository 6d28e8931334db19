"""Feeds damaged files to every parser: each gives rows or a refusal in words, within bounded time and memory."""
