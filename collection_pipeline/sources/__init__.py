"""Where facts come from: the marketplaces' APIs over HTTP, one file a vendor. Raw JSON dies in here."""
