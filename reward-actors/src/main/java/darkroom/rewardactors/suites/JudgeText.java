package darkroom.rewardactors.suites;

/** Removes text that all readers of a judge's answer ignore. */
final class JudgeText {
    private static final String THOUGHT = "</think>";

    private JudgeText() {}

    /** Returns the text after the last {@code </think>}; all of the text if it has none. */
    static String withoutThoughts(String text) {
        int end = text.lastIndexOf(THOUGHT);
        return end < 0 ? text : text.substring(end + THOUGHT.length());
    }
}
