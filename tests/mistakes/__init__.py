"""Mistakes in settings, each with the parts of the line that must report it: tables for test_wrong_settings."""
