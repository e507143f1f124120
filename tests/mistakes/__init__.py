"""Mistakes that somebody can make in settings, each with the one line that must tell it: tables for one test."""
