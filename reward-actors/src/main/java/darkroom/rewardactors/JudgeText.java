package darkroom.rewardactors;

/** What all readers of a judge's words pass over. */
final class JudgeText {
    private static final String THOUGHT = "</think>";

    private JudgeText() {}

    /** What stands behind the last {@code </think>}; all of the text if there is none. */
    static String withoutThoughts(String text) {
        int end = text.lastIndexOf(THOUGHT);
        return end < 0 ? text : text.substring(end + THOUGHT.length());
    }
}
