"""HTTP API of Jalon: an imperative shell around the engine, one request = one transaction."""
