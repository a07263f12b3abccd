package darkroom.rewardactors.client;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Gives advice on an image without a score, by the recorded reason. A reason is {@code code: detail}; the codes are those of
 * this module's README.
 */
public final class ScoringAdvice {
    /** Faults of the request itself, or of the scorer: the next question meets them again. */
    private static final Set<String> LASTING = Set.of(
            "tls",
            "label-tokens",
            "no-logprobs",
            "no-labels",
            "low-mass",
            "content-type",
            "bad-shape",
            "bad-number",
            "out-of-range",
            "cut-off",
            "no-score-token",
            "no-text");

    private static final Set<String> PASSING = Set.of("http-408", "http-425", "http-429");

    private static final Pattern PICTURES_MAX =
            Pattern.compile("at most \\d+ image|limit.mm.per.prompt|too many images|image\\(s\\) may be provided");
    private static final Pattern NO_PICTURES = Pattern.compile(
            "not a multimodal|does not support image|no image input|image input is not|text.only model");
    private static final Pattern TOO_LONG =
            Pattern.compile("context length|maximum.{0,20}tokens|max_model_len|too long");

    private ScoringAdvice() {}

    /** Whether repeating the same request cannot give another result. */
    public static boolean isLasting(String reason) {
        String code = code(reason);
        return LASTING.contains(code)
                || (code.matches("http-[1-4]\\d\\d") && !PASSING.contains(code))
                || code.equals("http-501");
    }

    /** Returns one or two sentences with the setting or the flag; empty if no advice is known. */
    public static String of(String reason) {
        String code = code(reason);
        String said = reason.toLowerCase(Locale.ROOT);
        if (code.equals("http-400") || code.equals("http-422")) {
            return ofBadRequest(said);
        }
        if (code.matches("http-3\\d\\d")) {
            return "Give the URL that it redirects to as the scorer's URL; redirects are not followed, so that no"
                    + " token goes elsewhere.";
        }
        return switch (code) {
            case "http-401", "http-403" ->
                "Set DARKROOM_SCORER_TOKEN (or DARKROOM_SCORER_TOKEN_FILE, or a header in"
                        + " DARKROOM_SCORER_HEADERS_FILE) to what the scorer accepts.";
            case "http-404" ->
                "Check the URL (the base URL, with or without /v1) and the model's name: --model or scoring.model, one"
                        + " of those that URL/v1/models lists.";
            case "http-405", "http-501" ->
                "The URL is of another service: an OpenAI-compatible one has POST /v1/chat/completions.";
            case "http-402" -> "The account at the scorer has no credit left.";
            case "http-413" ->
                "The pictures are larger than the scorer takes: set scoring.jpeg-quality=90, or raise its limit.";
            case "http-429", "http-503" ->
                "The scorer has too much to do: lower --concurrency or scoring.concurrency, or add a server.";
            case "refused", "reset", "no-answer" -> "Check that the scorer runs and listens at this host and port.";
            case "unknown-host" -> "Check the host name in the scorer's URL.";
            case "tls" ->
                "Check http or https in the URL; a certificate of your own authority is accepted by"
                        + " DARKROOM_SCORER_CA_FILE.";
            case "timeout" -> "Raise --timeout or scoring.timeout, or lower --concurrency or scoring.concurrency.";
            case "content-type", "bad-shape", "bad-json" ->
                "The URL is of another service, or a proxy answers in its place: an OpenAI-compatible one answers with"
                        + " JSON.";
            case "no-logprobs" ->
                "The scorer gives no log-probabilities: switch them on there, or use --method score-sampling.";
            case "no-labels", "low-mass", "no-score-token", "cut-off" ->
                "The model answers with something else than a score first, as a thinking model does: use an Instruct"
                        + " model, switch thinking off in the server's chat template, or use another method"
                        + " (score-logit-cot, score-sampling-cot, or pattern with words of your own).";
            case "label-tokens" ->
                "Use scoring.labels that are single tokens of the model, or --method score-sampling.";
            case "missing-label" ->
                "Set --logprob-source top-20: the scorer does not honour the logprob source that is set.";
            case "bad-number", "out-of-range", "no-text" ->
                "The model does not write its score as it is asked to: use a logit method, or scoring.templates and"
                        + " scoring.answer that fit it.";
            default -> "";
        };
    }

    private static String ofBadRequest(String said) {
        if (PICTURES_MAX.matcher(said).find()) {
            return "A question has two pictures, or three with a reference: start vLLM with --limit-mm-per-prompt"
                    + " '{\"image\": 3}'.";
        }
        if (NO_PICTURES.matcher(said).find()) {
            return "The model takes no pictures: serve a vision-language model.";
        }
        if (TOO_LONG.matcher(said).find()) {
            return "Raise the server's context (vLLM: --max-model-len), or send smaller pictures.";
        }
        if (said.contains("system") && said.contains("role")) {
            return "The model takes no system message: set scoring.system=\"\".";
        }
        if (said.contains("logprob")) {
            return "The scorer gives no such log-probabilities: use --logprob-source top-20, or --method"
                    + " score-sampling.";
        }
        if (said.contains("model")) {
            return "Check the model's name: --model or scoring.model.";
        }
        return "The scorer refuses the question; its text says why.";
    }

    /** Returns the part before the colon, by which reasons are counted. */
    public static String code(String reason) {
        int colon = reason.indexOf(':');
        return colon < 0 ? reason : reason.substring(0, colon);
    }
}
