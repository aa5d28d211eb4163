"""What people and Dagster do to the product, each once: commands, jobs, sensors and the page all call these."""
