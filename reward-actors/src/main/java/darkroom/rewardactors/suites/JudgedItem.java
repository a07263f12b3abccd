package darkroom.rewardactors.suites;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Result of one edit: all its scores, or a reason, and then no number (promise P-3).
 *
 * @param answers one for each question of the suite, in their order
 */
record JudgedItem(SuiteItem item, List<Answer> answers) {
    JudgedItem {
        answers = List.copyOf(answers);
    }

    /**
     * @param question its name
     * @param digest of everything that decides the answer: model, sampling settings, prompt, pictures; empty if it was not
     *     asked
     * @param kept whether the answer is from an earlier evaluation
     */
    record Answer(String question, String digest, JudgeReply said, boolean kept) {}

    /** Returns the result of an edit that could not be asked about. */
    static JudgedItem unasked(SuiteItem item, List<SuiteQuestion> questions, String reason) {
        return new JudgedItem(
                item,
                questions.stream()
                        .map(question -> new Answer(question.name(), "", new JudgeReply.Nothing(reason, 0), false))
                        .toList());
    }

    /** Returns the scores of every question; empty if one has none. */
    Optional<List<List<Double>>> scores() {
        List<List<Double>> all = new ArrayList<>();
        for (Answer answer : answers) {
            if (!(answer.said() instanceof JudgeReply.Scores said)) {
                return Optional.empty();
            }
            all.add(said.scores());
        }
        return Optional.of(all);
    }

    /** Returns the reason why the number is missing, from the first question without one. */
    Optional<String> reason() {
        return answers.stream()
                .filter(answer -> answer.said() instanceof JudgeReply.Nothing)
                .findFirst()
                .map(answer -> answer.question() + ": " + ((JudgeReply.Nothing) answer.said()).reason());
    }

    /** Whether it has no number only because the evaluation was stopped. */
    boolean isInterrupted() {
        return answers.stream()
                .anyMatch(answer -> answer.said() instanceof JudgeReply.Nothing nothing
                        && nothing.reason().startsWith(TextJudge.CLOSED + ":"));
    }
}
