package darkroom.rewardactors.protocol;

import darkroom.config.ScoringSettings;
import darkroom.config.ScoringSettings.Method;
import darkroom.rewardactors.protocol.LabelScore.Believed;
import darkroom.rewardactors.protocol.LabelScore.Reading;
import darkroom.rewardactors.protocol.LabelScore.Refused;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Prompts of a scorer and the conversion of its answer to a score: the five methods of the paper's Appendix B.1 that need no
 * further model, and the two for scorers with a protocol of their own.
 *
 * @param system the system message; empty for none
 * @param templates the prompts
 * @param promptName name of the prompt, system message and task texts included: equal for equal texts; empty without a prompt
 * @param labels the tokens that carry the judgement
 * @param logprobs whether alternatives are requested; if not, the written text is the score
 * @param reasoning whether the scorer reasons before it judges
 * @param tokensMax maximum length of an answer
 * @param number how a number is found in an answer of {@link Method#PATTERN} and {@link Method#ADAPTER}
 * @param bare matches an answer that is only a score
 * @param lastLine matches an answer that ends in a line "Score: N"
 */
public record ScoringMethod(
        Method method,
        String system,
        PromptTemplates templates,
        String promptName,
        LabelSet labels,
        boolean logprobs,
        boolean reasoning,
        int tokensMax,
        AnswerNumber number,
        Pattern bare,
        Pattern lastLine) {
    /** The system message of the paper's Appendix C. */
    private static final String SYSTEM = "You are a helpful assistant.";

    private static final int REASONING_TOKENS_MAX = 512;
    private static final int WRITTEN_TOKENS_MAX = 1024;
    private static final String ONE_DIGIT = "\\d(?:\\.\\d{1,4})?";

    /** Returns the method of that name, with the shipped prompts and labels. */
    public static ScoringMethod of(Method method) {
        return of(method, SYSTEM, PromptTemplates.shipped(method, true), List.of(), AnswerNumber.NONE);
    }

    /**
     * Returns the method of these settings.
     *
     * @throws IllegalArgumentException if a template, a label or the place of the answer cannot be used; says which and why
     */
    public static ScoringMethod of(ScoringSettings settings) {
        return of(
                settings.method(),
                settings.system().strip(),
                PromptTemplates.of(settings.method(), settings.templates(), settings.taskPrompts()),
                settings.labels(),
                AnswerNumber.of(settings));
    }

    private static ScoringMethod of(
            Method method, String system, PromptTemplates templates, List<String> labels, AnswerNumber number) {
        LabelSet usual = method == Method.YES_NO_LOGIT ? LabelSet.YES_NO : LabelSet.SCORES;
        LabelSet set = labels.isEmpty() ? usual : LabelSet.parse(labels);
        boolean logprobs =
                switch (method) {
                    case SCORE_LOGIT, YES_NO_LOGIT, SCORE_LOGIT_COT -> true;
                    case SCORE_SAMPLING, SCORE_SAMPLING_COT, PATTERN, ADAPTER -> false;
                };
        boolean reasoning = method == Method.SCORE_LOGIT_COT || method == Method.SCORE_SAMPLING_COT;
        int tokensMax =
                switch (method) {
                    case SCORE_LOGIT, YES_NO_LOGIT -> 1;
                    case SCORE_SAMPLING -> 8;
                    case SCORE_LOGIT_COT, SCORE_SAMPLING_COT -> REASONING_TOKENS_MAX;
                    case PATTERN, ADAPTER -> WRITTEN_TOKENS_MAX;
                };
        String written = labels.isEmpty() ? ONE_DIGIT : set.alternatives();
        return new ScoringMethod(
                method,
                system,
                templates,
                method == Method.ADAPTER ? "" : digest(system + '\n' + templates.text()),
                set,
                logprobs,
                reasoning,
                tokensMax,
                number,
                Pattern.compile("\\s*(" + written + ")\\s*"),
                Pattern.compile("(?:^|\\n)[\"'*]{0,3}Score[\"'*]{0,3} ?:[\"'* \\[]{0,6}(" + written
                        + ")[\"'*\\]]{0,5}\\s*(?:<[^<>\\s]{1,32}>)?\\s*$"));
    }

    private static String digest(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return "%08x".formatted(crc.getValue());
    }

    /** Returns the text of one question; for {@link Method#ADAPTER} the row's text is not inserted into a template. */
    public String words(ScoreRequest request) {
        return method == Method.ADAPTER
                ? request.instruction() + "\n" + request.requirement()
                : words(request.instruction(), request.requirement(), request.task(), request.reference() != null);
    }

    /**
     * Returns the text of one question from the row's text alone.
     *
     * @param reference whether a third picture, a reference, is shown
     */
    public String words(String instruction, String requirement, String task, boolean reference) {
        return templates.fill(instruction, requirement, task, reference);
    }

    /** Keeps a scorer's own distribution, from which answers are sampled by a seed; a scorer with its own prompt decides. */
    double temperature() {
        return method == Method.PATTERN ? 0 : 1;
    }

    /** Whether an answer may be long. */
    public boolean isLong() {
        return tokensMax >= REASONING_TOKENS_MAX;
    }

    /**
     * Whether the written text decides the score: it is then sampled by a seed. Otherwise no seed is sent; seeded requests
     * that share a batch have crashed servers.
     */
    boolean samples() {
        return method != Method.PATTERN && (reasoning || !logprobs);
    }

    /**
     * Reads an answer. The written text is ignored where log-probabilities decide, as in the public code.
     *
     * @param massMin label mass below which an answer is rejected
     * @param exact whether the answer must have a value for each label
     */
    public Reading read(ChatAnswer answer, double massMin, boolean exact) {
        if (isLong() && answer.finish().equals("length")) {
            return new Refused("cut-off", "the answer reached " + tokensMax + " tokens without a score", 0);
        }
        if (logprobs) {
            return readAlternatives(answer, massMin, exact);
        }
        String text = answer.text();
        if (text == null) {
            return new Refused("no-text", "the answer has no text", 0);
        }
        return method == Method.PATTERN ? number.in(text) : readWritten(text);
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

    /** Returns the index of the token that is the score of the last line, or -1. */
    private int scorePosition(List<ChatAnswer.Position> positions) {
        StringBuilder text = new StringBuilder();
        for (ChatAnswer.Position position : positions) {
            text.append(position.token());
        }
        Matcher matcher = lastLine.matcher(text);
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

    private Reading readWritten(String text) {
        Matcher matcher = reasoning ? lastLine.matcher(text) : bare.matcher(text);
        if (!(reasoning ? matcher.find() : matcher.matches())) {
            return new Refused("bad-number", "not a bare score: \"" + text.strip() + '"', 0);
        }
        String written = matcher.group(1);
        double weight = labels.weightOf(written).orElseGet(() -> Double.parseDouble(written));
        if (weight < labels.weightMin() || weight > labels.weightMax()) {
            String range = labels.weightMin() + " to " + labels.weightMax();
            return new Refused("out-of-range", "score " + written + " is not in " + range, 0);
        }
        return new Believed((weight - labels.weightMin()) / (labels.weightMax() - labels.weightMin()), 1);
    }
}
