"""Draws the graph of a definition, as Mermaid and as a self-contained SVG."""
