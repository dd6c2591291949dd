"""Folders that are followed while the web application serves."""
