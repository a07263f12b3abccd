package darkroom.actors.statistics;

/** The filter decision on a group once its slots are scored. Every group gets exactly one. */
public sealed interface FilterDecision {
    /** Returns one line for the report, with the values and the thresholds they were compared with. */
    String reason();

    /** The group's images become training samples. */
    record Kept(String reason) implements FilterDecision {}

    /** The group has no training signal: its images are counted and not trained on. */
    record Dropped(String reason) implements FilterDecision {}

    /** Too few slots have a score for the group to be compared with itself. */
    record Abandoned(String reason) implements FilterDecision {}
}
