"""What was sent to a campaign, read of one learner and of a group, on the screen, in files and on paper."""
