"""The room: candidates enter, start, answer and end; the invigilator authorises, pauses and ends."""
