"""What the HTML report is made of: the geometry of its charts, its tables, and its template."""
