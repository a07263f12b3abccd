package darkroom.actors;

/** One lease of one unit to one worker; a unit that is leased again gets another. Unique within a desk. */
public record LeaseId(long value) {}
