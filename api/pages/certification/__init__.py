"""Pages of certification: the candidate's, the room's, the team's, the holder's and the public check."""
