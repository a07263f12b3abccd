package darkroom.actors;

/** What becomes of a group once its slots are scored. Every group gets exactly one. */
public sealed interface Verdict {
    /** One line for the report, with the values and the thresholds they were held against. */
    String reason();

    /** The group's images become lessons. */
    record Kept(String reason) implements Verdict {}

    /** The group teaches nothing: its images are counted and not trained on. */
    record Dropped(String reason) implements Verdict {}

    /** Too few slots have a score for the group to be compared with itself. */
    record Abandoned(String reason) implements Verdict {}
}
