package darkroom.rewardactors;

/**
 * A question that a protocol asks about every edit.
 *
 * @param name short, for reports
 * @param prompt its words
 * @param original whether the original is shown before the edit
 * @param fitted whether the edit is brought to the size of the original first
 * @param reader of the answer
 */
record SuiteQuestion(String name, JudgePrompt prompt, boolean original, boolean fitted, AnswerReader reader) {}
