"""Who may call: platforms by OAuth2 client credentials, learners by a token bound to their run."""
