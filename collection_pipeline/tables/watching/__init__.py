"""What people and alerts look at: activity events, alerts, figures and their past."""
