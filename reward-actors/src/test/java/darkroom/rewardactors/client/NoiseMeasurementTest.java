package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import darkroom.actors.run.SimulatedWorld;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.client.ScriptedScorer.Answer;
import darkroom.rewardactors.protocol.LogprobSource;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The laws NM-1 and NM-2, in virtual time. */
class NoiseMeasurementTest {
    private static final int TIMES = 4;

    private final SimulatedWorld world = new SimulatedWorld(3);
    private final List<NoiseMeasurement.Measured> measured = new ArrayList<>();
    private final ScriptedScorer first = reportingVersion("first");
    private final ScriptedScorer plain = new ScriptedScorer(world, "plain");
    private final ScriptedScorer last = reportingVersion("last");

    @AfterEach
    void close() {
        world.close();
    }

    /** NM-1, NM-2. */
    @Test
    void endpoints_that_report_their_version_are_measured_and_others_are_asked_once() {
        ActorRef<ScorerPool.Command> pool = pool();
        world.pass(Duration.ofSeconds(1));
        assertThat(measured).singleElement().satisfies(all -> assertThat(all.noise())
                .extracting(ScorerNoise::scorer, ScorerNoise::count)
                .containsExactly(tuple("first", 2 * TIMES), tuple("last", 2 * TIMES)));
        assertThat(plain.asked()).hasSize(1);
        assertThat(first.openMost()).isEqualTo(TIMES);
        pool.tell(new ScorerPool.Close());
        world.settle();
        assertThat(measured).as("answered once").hasSize(1);
    }

    /** NM-1. */
    @Test
    void an_endpoint_whose_actor_dies_is_left_out() {
        first.answering(_ -> new Answer.Fatal());
        pool();
        world.pass(Duration.ofSeconds(1));
        assertThat(measured).singleElement().satisfies(all -> assertThat(all.noise())
                .extracting(ScorerNoise::scorer)
                .containsExactly("last"));
    }

    /** NM-1. */
    @Test
    void a_measurement_that_is_stopped_answers_with_the_endpoints_that_are_measured() {
        last.answering(_ -> Answer.none());
        ActorRef<ScorerPool.Command> pool = pool();
        world.pass(Duration.ofSeconds(1));
        assertThat(measured).isEmpty();
        pool.tell(new ScorerPool.Close());
        world.settle();
        assertThat(measured).singleElement().satisfies(all -> assertThat(all.noise())
                .extracting(ScorerNoise::scorer)
                .containsExactly("first"));
    }

    private ScriptedScorer reportingVersion(String name) {
        return new ScriptedScorer(world, name)
                .lookedUpAs(new ScorerPort.Lookup.Found(
                        new ServerProfile("scripted", "1.0", LogprobSource.TOP, List.of(), true, Optional.empty())));
    }

    private ActorRef<ScorerPool.Command> pool() {
        ScoringSettings settings = TestScoring.with();
        ActorRef<ScorerPool.Command> pool = world.spawn(
                ScorerPool.create(new ScorerPool.Setup(
                        List.of(first, plain, last),
                        settings,
                        ScoringMethod.of(settings),
                        ScorerAccess.NONE,
                        ScorerClient.PAUSE_FIRST,
                        () -> world.now().toNanos(),
                        _ -> {})),
                "pool");
        ActorRef<NoiseMeasurement.Measured> replyTo = world.spawn(
                Behaviors.receiveMessage(answer -> {
                    measured.add(answer);
                    return Behaviors.same();
                }),
                "asker");
        pool.tell(new ScorerPool.MeasureNoise(TIMES, replyTo));
        return pool;
    }
}
