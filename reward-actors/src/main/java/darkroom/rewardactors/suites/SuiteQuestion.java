package darkroom.rewardactors.suites;

import darkroom.rewardactors.judge.JudgePrompt;
import darkroom.rewardactors.protocol.AnswerReader;

/**
 * A question that a protocol asks about every edit.
 *
 * @param name short name, for reports
 * @param prompt its text
 * @param original whether the original is shown before the edit
 * @param fitted whether the edit is first resized to the original
 * @param reader of the answer
 */
record SuiteQuestion(String name, JudgePrompt prompt, boolean original, boolean fitted, AnswerReader reader) {}
