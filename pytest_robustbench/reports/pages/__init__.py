"""What people read: report.html, summary.md, conditions.csv, and pictures."""
