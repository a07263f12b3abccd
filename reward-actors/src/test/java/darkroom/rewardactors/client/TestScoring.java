package darkroom.rewardactors.client;

import darkroom.config.Recipes;
import darkroom.config.ScoringSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shipped scoring settings without canaries, with the overrides of a test. */
public final class TestScoring {
    private TestScoring() {}

    /** @param overrides keys of {@code scoring}, as in {@code concurrency=4} */
    public static ScoringSettings with(String... overrides) {
        List<String> all = new ArrayList<>(List.of("scoring.concurrency=4", "scoring.canary-every=0s"));
        for (String override : overrides) {
            all.add("scoring." + override);
        }
        return Recipes.load("embedded-demo", all).scoring();
    }

    public static String method(ScoringSettings.Method method) {
        return "method=" + label(method);
    }

    static String logprobSource(ScoringSettings.Ladder logprobSource) {
        return "logprob-source=" + label(logprobSource);
    }

    static String timeout(Duration timeout) {
        return "timeout=" + timeout.toMillis() + "ms";
    }

    private static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
