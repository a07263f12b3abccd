package darkroom.rewardactors;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What became of one edit: all its scores, or a reason, and then no number (promise P-3).
 *
 * @param answers one for each question of the suite, in their order
 */
record JudgedItem(SuiteItem item, List<Answer> answers) {
    JudgedItem {
        answers = List.copyOf(answers);
    }

    /**
     * @param question its name
     * @param digest of all that decides the answer: model, sampling settings, words, pictures; empty if it was not asked
     * @param kept whether an earlier evaluation had it
     */
    record Answer(String question, String digest, JudgeSaid said, boolean kept) {}

    /** An edit that could not be asked about. */
    static JudgedItem unasked(SuiteItem item, List<SuiteQuestion> questions, String reason) {
        return new JudgedItem(
                item,
                questions.stream()
                        .map(question -> new Answer(question.name(), "", new JudgeSaid.Nothing(reason, 0), false))
                        .toList());
    }

    /** Scores of every question; empty if one has none. */
    Optional<List<List<Double>>> scores() {
        List<List<Double>> all = new ArrayList<>();
        for (Answer answer : answers) {
            if (!(answer.said() instanceof JudgeSaid.Scores said)) {
                return Optional.empty();
            }
            all.add(said.scores());
        }
        return Optional.of(all);
    }

    /** Why there is no number, by the first question that has none. */
    Optional<String> reason() {
        return answers.stream()
                .filter(answer -> answer.said() instanceof JudgeSaid.Nothing)
                .findFirst()
                .map(answer -> answer.question() + ": " + ((JudgeSaid.Nothing) answer.said()).reason());
    }

    /** Whether it is without a number only because the evaluation was stopped. */
    boolean isInterrupted() {
        return answers.stream()
                .anyMatch(answer -> answer.said() instanceof JudgeSaid.Nothing nothing
                        && nothing.reason().startsWith(TextJudge.CLOSED + ":"));
    }
}
