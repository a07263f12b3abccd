package darkroom.rewardactors;

import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.LabelScore.Believed;
import darkroom.rewardactors.LabelScore.Reading;
import darkroom.rewardactors.LabelScore.Refused;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a scorer is asked, and how its answer becomes a score: the five methods of the paper's Appendix B.1 that need no
 * further model.
 *
 * @param template the words of the question
 * @param labels the tokens that carry the judgement
 * @param logprobs whether alternatives are asked for; if not, the written number is the score
 * @param reasoning whether the scorer reasons before it judges
 * @param tokensMax length of an answer, at most
 */
public record ScoringMethod(
        Method method, PromptTemplate template, LabelSet labels, boolean logprobs, boolean reasoning, int tokensMax) {
    /** All methods leave the scorer's own distribution alone; sampled answers are drawn from it by an explicit seed. */
    static final double TEMPERATURE = 1;

    private static final int REASONING_TOKENS_MAX = 512;
    private static final Pattern BARE = Pattern.compile("\\s*(\\d(?:\\.\\d{1,4})?)\\s*");
    private static final Pattern LAST_LINE = Pattern.compile("(?:^|\\n)[\"'*]{0,3}Score[\"'*]{0,3} ?:[\"'* \\[]{0,6}"
            + "(\\d(?:\\.\\d{1,4})?)[\"'*\\]]{0,5}\\s*(?:<[^<>\\s]{1,32}>)?\\s*$");

    /** The method of that name. */
    public static ScoringMethod of(Method method) {
        return switch (method) {
            case SCORE_LOGIT -> new ScoringMethod(method, PromptTemplate.SCORE, LabelSet.SCORES, true, false, 1);
            case YES_NO_LOGIT -> new ScoringMethod(method, PromptTemplate.YES_NO, LabelSet.YES_NO, true, false, 1);
            case SCORE_SAMPLING -> new ScoringMethod(method, PromptTemplate.SCORE, LabelSet.SCORES, false, false, 8);
            case SCORE_LOGIT_COT ->
                new ScoringMethod(method, PromptTemplate.SCORE_COT, LabelSet.SCORES, true, true, REASONING_TOKENS_MAX);
            case SCORE_SAMPLING_COT ->
                new ScoringMethod(method, PromptTemplate.SCORE_COT, LabelSet.SCORES, false, true, REASONING_TOKENS_MAX);
        };
    }

    /**
     * Whether what is written decides the score: it is then drawn by a seed. Otherwise none is sent; seeded requests that share a
     * batch have brought servers down.
     */
    boolean samples() {
        return reasoning || !logprobs;
    }

    /**
     * Reads an answer. The written text decides nothing where log-probabilities do, as in the public code.
     *
     * @param massMin label mass below which an answer is not believed
     * @param exact whether the answer must have a value for each label
     */
    Reading read(ChatAnswer answer, double massMin, boolean exact) {
        if (reasoning && answer.finish().equals("length")) {
            return new Refused("cut-off", "the reasoning reached " + tokensMax + " tokens without a score", 0);
        }
        return logprobs ? readAlternatives(answer, massMin, exact) : readNumber(answer);
    }

    private Reading readAlternatives(ChatAnswer answer, double massMin, boolean exact) {
        List<ChatAnswer.Position> positions = answer.positions();
        if (positions.isEmpty()) {
            return new Refused("no-logprobs", "the answer has no log-probabilities", 0);
        }
        int position = reasoning ? scorePosition(positions) : 0;
        if (position < 0) {
            return new Refused("no-score-token", "no last line \"Score: N\" with N a token of its own", 0);
        }
        List<TokenLogprob> alternatives = positions.get(position).alternatives();
        if (alternatives.isEmpty()) {
            return new Refused("no-logprobs", "the score token has no top_logprobs", 0);
        }
        return LabelScore.of(alternatives, labels, massMin, exact);
    }

    /** Index of the token that is the score of the last line, or -1. */
    private static int scorePosition(List<ChatAnswer.Position> positions) {
        StringBuilder text = new StringBuilder();
        for (ChatAnswer.Position position : positions) {
            text.append(position.token());
        }
        Matcher matcher = LAST_LINE.matcher(text);
        if (!matcher.find()) {
            return -1;
        }
        int start = 0;
        for (int i = 0; i < positions.size(); i++) {
            String token = positions.get(i).token();
            if (start == matcher.start(1) && token.equals(matcher.group(1))) {
                return i;
            }
            start += token.length();
        }
        return -1;
    }

    private Reading readNumber(ChatAnswer answer) {
        String text = answer.text();
        if (text == null) {
            return new Refused("no-text", "the answer has no text", 0);
        }
        Matcher matcher = reasoning ? LAST_LINE.matcher(text) : BARE.matcher(text);
        if (!(reasoning ? matcher.find() : matcher.matches())) {
            return new Refused("bad-number", "not a bare score of 0 to 5: \"" + text.strip() + '"', 0);
        }
        double number = Double.parseDouble(matcher.group(1));
        if (number < labels.weightMin() || number > labels.weightMax()) {
            return new Refused("out-of-range", "score " + matcher.group(1) + " is not in 0 to 5", 0);
        }
        return new Believed((number - labels.weightMin()) / (labels.weightMax() - labels.weightMin()), 1);
    }
}
