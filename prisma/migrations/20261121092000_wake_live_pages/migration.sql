-- Live pages hear of a change from the rows themselves, when its transaction commits: no writer has to think of them.
-- Topics are those of platform/wake/topics.ts; nodes, work and logs are named by their writers.

CREATE FUNCTION wake_rollout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('landfall', 'rollout:' || NEW.id);
  IF NEW."intentId" IS NOT NULL THEN
    PERFORM pg_notify('landfall', 'intent:' || NEW."intentId");
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION wake_rollout_of_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('landfall', 'rollout:' || NEW."rolloutId");
  RETURN NULL;
END $$;

CREATE FUNCTION wake_intent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('landfall', 'intent:' || NEW.id);
  RETURN NULL;
END $$;

CREATE FUNCTION wake_intents_of_build() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('landfall', 'intent:' || "intentId") FROM "IntentBuild" WHERE "buildId" = NEW.id;
  RETURN NULL;
END $$;

CREATE TRIGGER wake AFTER INSERT OR UPDATE ON "Rollout" FOR EACH ROW EXECUTE FUNCTION wake_rollout();
CREATE TRIGGER wake AFTER INSERT ON "RolloutEvent" FOR EACH ROW EXECUTE FUNCTION wake_rollout_of_event();
CREATE TRIGGER wake AFTER UPDATE ON "Intent" FOR EACH ROW EXECUTE FUNCTION wake_intent();
CREATE TRIGGER wake AFTER UPDATE ON "Build" FOR EACH ROW EXECUTE FUNCTION wake_intents_of_build();
