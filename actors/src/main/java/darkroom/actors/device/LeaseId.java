package darkroom.actors.device;

/** Identifies one lease of one unit to one worker; a unit that is leased again gets another. Unique within a queue. */
public record LeaseId(long value) {}
