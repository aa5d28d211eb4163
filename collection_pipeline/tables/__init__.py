"""Where facts rest: Postgres. The schema, its migrations, the default server, and one store per noun."""
