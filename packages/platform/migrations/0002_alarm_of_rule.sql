-- The latest alarm of a rule decides whether the next occurrence is counted on it or opens a new one.
CREATE INDEX alarm_rule ON alarm (rule_id, id DESC);
