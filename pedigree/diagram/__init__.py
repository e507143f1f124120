"""Pictures of any definition: as Mermaid, and as an SVG that needs nothing but itself."""
