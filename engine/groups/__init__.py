"""What the answers of many learners say of a group: shares, classes, changes, needs."""
