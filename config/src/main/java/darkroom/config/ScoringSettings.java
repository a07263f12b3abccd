package darkroom.config;

import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Settings of the scoring of edits.
 *
 * @param endpoints base URLs of OpenAI-compatible scorers; empty means the embedded judge
 * @param model model name sent to the scorers; empty asks each scorer for its first model
 * @param method conversion of the answer to a number, method section 3
 * @param weight of this reward, where others exist
 * @param system the system message of a question; empty for none
 * @param taskPrompts whether the shipped prompts describe the criteria of an edit of its task type
 * @param templates prompts, {@code TASK=TEXT}, with {@link #ANY_TASK} for all other tasks; empty: the shipped prompts
 * @param labels tokens that carry the judgement, {@code TOKEN=WEIGHT}; empty: those of the method
 * @param answer location of the number: a regular expression with one group ({@link Method#PATTERN}), a JSON pointer ({@link
 *     Method#ADAPTER})
 * @param low the number that becomes score 0, of these two methods
 * @param high the number that becomes score 1
 * @param judge embedded judge used without endpoints: {@code judge} or {@code weak}
 * @param judgePrecision of the linear layers of the embedded judge
 * @param concurrency maximum number of requests in flight per endpoint
 * @param timeout time from sending a request to having read its whole answer, per attempt
 * @param attempts maximum number of tries per image before it is unscored
 * @param labelMassMin probability of the labels below which an answer is rejected
 * @param logprobSource how log-probabilities are requested; auto takes the best that a scorer supports
 * @param hedging whether a late request is sent a second time
 * @param canaryEvery time between two canaries to a scorer that reports its version; 0 for none
 * @param jpegQuality pictures are sent as JPEG of this quality, 1 to 100; 0: as PNG, without loss
 * @param cache directory of answered questions, which are not asked again; empty for none
 * @param cacheMax maximum number of cached answers
 * @param flatGroupsWarn consecutive groups whose images all have the same score after which a warning is logged; 0 for never
 * @param flatGroupsMax number of such consecutive groups after which a run stops; 0 for never
 * @param rewards further rewards: an image's score is the weighted mean of all
 */
public record ScoringSettings(
        List<URI> endpoints,
        String model,
        Method method,
        double weight,
        String system,
        boolean taskPrompts,
        List<String> templates,
        List<String> labels,
        String answer,
        double low,
        double high,
        String judge,
        Precision judgePrecision,
        int concurrency,
        Duration timeout,
        int attempts,
        double labelMassMin,
        Ladder logprobSource,
        boolean hedging,
        Duration canaryEvery,
        int jpegQuality,
        String cache,
        int cacheMax,
        int flatGroupsWarn,
        int flatGroupsMax,
        List<Reward> rewards) {
    /** Key for all tasks without a template of their own. */
    public static final String ANY_TASK = "any";

    /** The name of the reward of {@code scoring} itself, where others exist. */
    public static final String FIRST = "scoring";

    public ScoringSettings {
        endpoints = Asked.endpoints("scoring.endpoints", endpoints);
        Asked.check("scoring.", weight, templates, labels, method, answer, low, high);
        Allowed.text("scoring.judge", judge);
        Allowed.whole("scoring.concurrency", concurrency, 1, 8192);
        Allowed.duration("scoring.timeout", timeout);
        Allowed.whole("scoring.attempts", attempts, 1, 1000);
        if (!canaryEvery.isZero()) {
            Allowed.duration("scoring.canary-every", canaryEvery);
        }
        Allowed.whole("scoring.jpeg-quality", jpegQuality, 0, 100);
        Allowed.real("scoring.label-mass-min", labelMassMin, 0, 1);
        Allowed.whole("scoring.cache-max", cacheMax, 1, 100_000_000);
        Allowed.whole("scoring.flat-groups-warn", flatGroupsWarn, 0, 1_000_000);
        Allowed.whole("scoring.flat-groups-max", flatGroupsMax, 0, 1_000_000);
        Allowed.require(
                method != Method.ADAPTER || !endpoints.isEmpty(),
                "scoring.method",
                "adapter",
                "with the URL of the adapter in scoring.endpoints: the embedded judge is none");
        templates = List.copyOf(templates);
        labels = List.copyOf(labels);
        rewards = List.copyOf(rewards);
        Set<String> names = new HashSet<>(Set.of(FIRST));
        for (Reward reward : rewards) {
            Allowed.require(names.add(reward.name()), "scoring.rewards", reward.name(), "each name once");
            Allowed.require(
                    !reward.endpoints().isEmpty(),
                    "scoring.rewards.endpoints",
                    "[] of " + reward.name(),
                    "at least one URL");
        }
    }

    /**
     * A further reward: its question and its endpoints. Bounds are those of {@code scoring}.
     *
     * @param name used in reports, and with each score
     */
    public record Reward(
            String name,
            List<URI> endpoints,
            String model,
            Method method,
            double weight,
            String system,
            boolean taskPrompts,
            List<String> templates,
            List<String> labels,
            String answer,
            double low,
            double high) {
        /** Returns the same reward with one endpoint. */
        public Reward at(URI endpoint) {
            return new Reward(
                    name,
                    List.of(endpoint),
                    model,
                    method,
                    weight,
                    system,
                    taskPrompts,
                    templates,
                    labels,
                    answer,
                    low,
                    high);
        }

        public Reward {
            Allowed.require(
                    name.matches("[a-z0-9][a-z0-9-]{0,31}"),
                    "scoring.rewards.name",
                    '"' + name + '"',
                    "names of small letters, digits and dashes");
            endpoints = Asked.endpoints("scoring.rewards.endpoints", endpoints);
            Asked.check("scoring.rewards.", weight, templates, labels, method, answer, low, high);
            templates = List.copyOf(templates);
            labels = List.copyOf(labels);
        }
    }

    /** Returns the question of a further reward with the bounds of these settings. */
    public ScoringSettings asking(Reward reward) {
        return new ScoringSettings(
                reward.endpoints(),
                reward.model(),
                reward.method(),
                reward.weight(),
                reward.system(),
                reward.taskPrompts(),
                reward.templates(),
                reward.labels(),
                reward.answer(),
                reward.low(),
                reward.high(),
                judge,
                judgePrecision,
                concurrency,
                timeout,
                attempts,
                labelMassMin,
                logprobSource,
                hedging,
                canaryEvery,
                jpegQuality,
                cache,
                cacheMax,
                flatGroupsWarn,
                flatGroupsMax,
                List.of());
    }

    /** Returns the same question, asked once and without a cache, to test how a scorer answers now. */
    public ScoringSettings probing() {
        return new ScoringSettings(
                endpoints,
                model,
                method,
                weight,
                system,
                taskPrompts,
                templates,
                labels,
                answer,
                low,
                high,
                judge,
                judgePrecision,
                concurrency,
                timeout,
                1,
                labelMassMin,
                logprobSource,
                false,
                Duration.ZERO,
                jpegQuality,
                "",
                cacheMax,
                flatGroupsWarn,
                flatGroupsMax,
                List.of());
    }

    /** Returns these settings with another precision of the embedded judge. */
    public ScoringSettings judgedIn(Precision other) {
        return new ScoringSettings(
                endpoints,
                model,
                method,
                weight,
                system,
                taskPrompts,
                templates,
                labels,
                answer,
                low,
                high,
                judge,
                other,
                concurrency,
                timeout,
                attempts,
                labelMassMin,
                logprobSource,
                hedging,
                canaryEvery,
                jpegQuality,
                cache,
                cacheMax,
                flatGroupsWarn,
                flatGroupsMax,
                rewards);
    }

    /** Returns the first reward alone, with that method; a method other than its own uses the shipped prompts and labels. */
    public ScoringSettings with(Method other) {
        boolean own = other == method;
        Reward first = new Reward(
                FIRST,
                endpoints,
                model,
                other,
                weight,
                system,
                taskPrompts,
                own ? templates : List.of(),
                own ? labels : List.of(),
                answer,
                low,
                high);
        return asking(first);
    }

    /** The scoring methods of the paper's Table 4; the last two are for scorers with a protocol of their own. */
    public enum Method {
        SCORE_LOGIT,
        YES_NO_LOGIT,
        SCORE_SAMPLING,
        SCORE_LOGIT_COT,
        SCORE_SAMPLING_COT,
        /** A model that writes its score in free text, over the chat API. */
        PATTERN,
        /** Any service that accepts an image pair as JSON and answers with a number. */
        ADAPTER
    }

    /** Ways to request the log-probabilities of labels. */
    public enum Ladder {
        AUTO,
        TOKEN_IDS,
        CHOICE,
        PROMPT_LOGPROBS,
        TOP_20
    }

    /** Checks that apply to each reward. */
    private static final class Asked {
        private static final double WEIGHT_MAX = 1e6;

        private Asked() {}

        static List<URI> endpoints(String key, List<URI> endpoints) {
            for (URI endpoint : endpoints) {
                String scheme = String.valueOf(endpoint.getScheme()).toLowerCase(Locale.ROOT);
                boolean plain = endpoint.getRawUserInfo() == null && endpoint.getRawQuery() == null;
                Allowed.require(
                        plain && endpoint.getHost() != null && (scheme.equals("http") || scheme.equals("https")),
                        key,
                        plain ? endpoint : "(URL of " + endpoint.getHost() + ")",
                        "http and https URLs such as http://localhost:8000; a token comes from DARKROOM_SCORER_TOKEN");
            }
            endpoints.forEach(endpoint ->
                    Allowed.require(endpoint.getPort() <= Allowed.PORT_MAX, key, endpoint, "ports up to 65535"));
            return List.copyOf(endpoints);
        }

        static void check(
                String path,
                double weight,
                List<String> templates,
                List<String> labels,
                Method method,
                String answer,
                double low,
                double high) {
            Allowed.above(path + "weight", weight, 0);
            Allowed.real(path + "weight", weight, 0, WEIGHT_MAX);
            pairs(path + "templates", templates, "TASK=@FILE, such as any=@score.txt, each task once");
            pairs(path + "labels", labels, "TOKEN=WEIGHT, such as Yes=1, each token once");
            for (String label : labels) {
                Allowed.require(
                        label.substring(label.indexOf('=') + 1).strip().matches("-?\\d+(\\.\\d+)?"),
                        path + "labels",
                        label,
                        "TOKEN=WEIGHT with a number as the weight");
            }
            boolean number = method == Method.PATTERN || method == Method.ADAPTER;
            Allowed.require(
                    !number || !answer.isBlank(),
                    path + "answer",
                    '"' + answer + '"',
                    "where the number is, with method pattern or adapter");
            if (method == Method.PATTERN) {
                pattern(path + "answer", answer);
            } else if (method == Method.ADAPTER) {
                Allowed.require(
                        answer.startsWith("/"), path + "answer", '"' + answer + '"', "JSON pointers, such as /score");
            }
            Allowed.require(
                    Double.isFinite(low) && Double.isFinite(high) && low < high,
                    path + "high",
                    high,
                    "numbers above " + path + "low=" + low);
        }

        private static void pattern(String key, String text) {
            try {
                int groups = Pattern.compile(text).matcher("").groupCount();
                Allowed.require(
                        groups == 1,
                        key,
                        '"' + text + '"',
                        "regular expressions with one group, around the number; this one has " + groups);
            } catch (PatternSyntaxException e) {
                throw SettingsException.of(key, '"' + text + '"', "regular expressions: " + e.getDescription());
            }
        }

        private static void pairs(String key, List<String> values, String rule) {
            Set<String> seen = new HashSet<>();
            for (String value : values) {
                int at = value.indexOf('=');
                String name = at < 0 ? "" : value.substring(0, at).strip();
                String shown = value.length() <= 60 ? value : value.substring(0, 60) + "...";
                Allowed.require(!name.isEmpty() && at < value.length() - 1 && seen.add(name), key, shown, rule);
            }
        }
    }
}
