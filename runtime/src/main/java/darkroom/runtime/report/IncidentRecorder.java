package darkroom.runtime.report;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.runtime.base.JsonLines;
import darkroom.runtime.base.RunDirectory;
import java.nio.file.Path;
import java.time.InstantSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes {@code incidents.jsonl}: one {@link Incident} per line, across all processes of the run. */
public final class IncidentRecorder implements RunListener, AutoCloseable {
    /** Lines that one control node writes; further incidents are only in the log. */
    private static final int INCIDENTS_MAX = 100_000;

    private static final Logger LOG = LoggerFactory.getLogger(IncidentRecorder.class);

    private final JsonLines<Incident> lines;
    private final InstantSource clock;
    private int written;

    private IncidentRecorder(JsonLines<Incident> lines, InstantSource clock) {
        this.lines = lines;
        this.clock = clock;
    }

    /**
     * Opens the recorder.
     *
     * @param directory the run's directory, which must exist
     */
    public static IncidentRecorder in(Path directory, InstantSource clock) {
        IncidentRecorder recorder = new IncidentRecorder(
                JsonLines.open(new RunDirectory(directory).incidents(), Incident.class, _ -> true), clock);
        recorder.write(new Incident(
                clock.millis(),
                Incident.Kind.OPENED,
                "",
                0,
                "process " + ProcessHandle.current().pid()));
        return recorder;
    }

    @Override
    public void heard(RunEvent event) {
        Incident.of(event, clock.instant()).ifPresent(this::write);
    }

    private void write(Incident incident) {
        LOG.info("{} {} {}", incident.kind(), incident.who(), incident.text());
        if (written < INCIDENTS_MAX) {
            lines.append(incident);
            written++;
        }
    }

    @Override
    public void close() {
        lines.close();
    }
}
