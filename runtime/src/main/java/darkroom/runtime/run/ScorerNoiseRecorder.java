package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.WorkQueueEvent;
import darkroom.config.RunSettings;
import darkroom.rewardactors.client.ScorerNoise;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.NoiseFloor;
import darkroom.runtime.base.RunDirectory;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Records the noise of scorers that this process or another node has measured, and warns where it is large. */
final class ScorerNoiseRecorder implements RunListener {
    private static final Logger LOGGER = LoggerFactory.getLogger(ScorerNoiseRecorder.class);

    private final RunSettings settings;
    private final Path directory;

    /** @param directory of the run */
    ScorerNoiseRecorder(RunSettings settings, Path directory) {
        this.settings = settings;
        this.directory = directory;
    }

    /** Records a measurement of this process. */
    synchronized void record(ScorerNoise noise) {
        Scorers.tell(noise);
        double threshold = settings.groups().spreadThreshold();
        if (settings.groups().filter() && noise.std() > threshold / 2) {
            LOGGER.warn(
                    "the scores of {} vary by {} for one and the same pair, more than half of"
                            + " groups.spread-threshold={}: what the filter keeps may be noise",
                    noise.scorer(),
                    noise.std(),
                    threshold);
        }
        try (JsonLines<NoiseFloor> lines =
                JsonLines.open(new RunDirectory(directory).noise(), NoiseFloor.class, _ -> true)) {
            lines.append(
                    new NoiseFloor(noise.scorer(), noise.count(), noise.mean(), noise.std(), noise.range(), threshold));
        }
    }

    /** Records a measurement of another node. */
    @Override
    public void heard(RunEvent event) {
        if (event
                instanceof
                WorkQueueEvent.NoiseMeasured(
                        String _,
                        String scorer,
                        int count,
                        double mean,
                        double std,
                        double range)) {
            record(new ScorerNoise(scorer, count, mean, std, range));
        }
    }
}
