"""``jalon calibrate`` and ``jalon bank calibrate``: files in; parameters, fit and a report out."""
