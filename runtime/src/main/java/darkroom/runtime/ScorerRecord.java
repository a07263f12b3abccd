package darkroom.runtime;

import darkroom.actors.GroupKeeper;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.ScoreOutcome;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records which models have scored a run, a line of {@code scorers.jsonl} each, and says when another one scores: after a resumption,
 * or because a server was changed. Scores of different models, versions or words are not comparable.
 */
final class ScorerRecord implements RunListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ScorerRecord.class);

    /** One of several rewards, as it is recorded with a score: {@code NAME SCORE (HOST MODEL)}. */
    private static final Pattern PART = Pattern.compile("(\\S+) \\S+ \\((.*)\\)");

    private final JsonLines<Line> lines;
    private final Set<String> known = new TreeSet<>();
    private final Set<String> ofStep = new TreeSet<>();

    /**
     * A line of {@code scorers.jsonl}.
     *
     * @param step the first with a score by it
     * @param scorer model, how it was asked, version, name of the words; without the host
     */
    record Line(int step, String scorer) {}

    /** @param step steps committed in the state that the run resumes from; lines of later ones are cut */
    ScorerRecord(Path run, int step) {
        Path file = new RunDirectory(run).scorers();
        lines = JsonLines.open(file, Line.class, line -> line.step() < step);
        JsonLines.forEach(file, Line.class, line -> known.add(line.scorer()));
    }

    @Override
    public synchronized void heard(RunEvent event) {
        switch (event) {
            case RunEvent.GroupCompared(int _, GroupKeeper.GroupEnded ended, var _) ->
                ended.outcomes().stream()
                        .filter(ScoreOutcome.Scored.class::isInstance)
                        .map(outcome -> withoutHosts(((ScoreOutcome.Scored) outcome).scorer()))
                        .forEach(ofStep::add);
            case RunEvent.StepCommitted committed -> commit(committed.step());
            default -> {}
        }
    }

    private void commit(int step) {
        ofStep.removeAll(known);
        if (!ofStep.isEmpty() && !known.isEmpty()) {
            LOG.warn(
                    "from step {} on images are scored by {}; until then by {}. Scores of different models, versions"
                            + " or prompts are not comparable: a curve over this step is of two scorers",
                    step,
                    String.join(", ", ofStep),
                    String.join(", ", known));
        }
        ofStep.forEach(scorer -> lines.append(new Line(step, scorer)));
        if (!ofStep.isEmpty()) {
            lines.force();
        }
        known.addAll(ofStep);
        ofStep.clear();
    }

    /** Who scored so far, for people. */
    synchronized String describe() {
        return known.isEmpty() ? String.join(", ", ofStep) : String.join(", ", known);
    }

    /** What is recorded with a score, without the hosts: the same model on another server is the same scorer. */
    static String withoutHosts(String scorer) {
        return Arrays.stream(scorer.split(" \\+ ", -1))
                .map(part -> {
                    Matcher several = PART.matcher(part);
                    return several.matches()
                            ? "%s (%s)".formatted(several.group(1), afterHost(several.group(2)))
                            : afterHost(part);
                })
                .collect(Collectors.joining(" + "));
    }

    private static String afterHost(String scorer) {
        return scorer.substring(scorer.indexOf(' ') + 1);
    }

    @Override
    public void close() {
        lines.close();
    }
}
