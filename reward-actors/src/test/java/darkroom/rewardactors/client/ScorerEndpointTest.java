package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.run.SimulatedWorld;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.client.ScriptedScorer.Answer;
import darkroom.rewardactors.protocol.ScorerCall;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterTry;
import net.jqwik.api.lifecycle.BeforeTry;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The laws SE-1 to SE-5 of an endpoint, in virtual time. */
class ScorerEndpointTest {
    private static final Duration SOON = Duration.ofMillis(20);
    private static final Duration MOMENT = Duration.ofMillis(50);

    private final List<ScorerPool.Report> reports = new ArrayList<>();
    private SimulatedWorld world;
    private ScriptedScorer scorer;
    private long number;

    @BeforeEach
    @BeforeTry
    void open() {
        world = new SimulatedWorld(7);
        scorer = new ScriptedScorer(world, "it:1");
        reports.clear();
        number = 0;
    }

    @AfterEach
    @AfterTry
    void close() {
        world.close();
    }

    /** SE-4. */
    @Test
    void an_endpoint_that_fails_five_times_is_asked_last_for_five_seconds_and_then_one_request_at_a_time() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(8);
        fail(endpoint, 4);
        assertThat(status().isTrusted(0)).isTrue();
        fail(endpoint, 1);
        assertThat(status().circuit()).isEqualTo(new Circuit.Open());
        assertThat(status().isTrusted(0)).isFalse();
        world.pass(ScorerEndpoint.OPEN_FOR);
        assertThat(status().circuit()).isEqualTo(new Circuit.Rested());
        assertThat(status().isTrusted(0)).isTrue();
        assertThat(status().isTrusted(1)).as("one at a time").isFalse();
    }

    /** SE-4. */
    @Test
    void three_answers_in_a_row_make_it_one_like_the_others() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(8);
        fail(endpoint, 5);
        world.pass(ScorerEndpoint.OPEN_FOR);
        answer(endpoint, 2);
        assertThat(status().circuit()).isEqualTo(new Circuit.HalfOpen(2));
        answer(endpoint, 1);
        assertThat(status().circuit()).isEqualTo(Circuit.closed());
        assertThat(status().isTrusted(2)).isTrue();
    }

    /** SE-4. */
    @Test
    void a_failure_after_the_rest_makes_it_rest_again() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(8);
        fail(endpoint, 5);
        world.pass(ScorerEndpoint.OPEN_FOR);
        fail(endpoint, 1);
        assertThat(status().circuit()).isEqualTo(new Circuit.Open());
        assertThat(status().describe()).isEqualTo("it:1: 0 answered, 6 failed, the last time: http-500: scripted");
        world.pass(ScorerEndpoint.OPEN_FOR);
        assertThat(status().isTrusted(0)).isTrue();
    }

    /** SE-4, SE-2. */
    @Test
    void a_request_that_is_given_up_does_not_keep_it_from_being_asked() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(1);
        fail(endpoint, 5);
        world.pass(ScorerEndpoint.OPEN_FOR);
        scorer.answering(_ -> Answer.none());
        for (int i = 0; i < 100; i++) {
            endpoint.tell(new ScorerEndpoint.Ask(++number, call()));
            endpoint.tell(new ScorerEndpoint.GiveUp(number));
            world.settle();
        }
        assertThat(scorer.givenUp()).isEqualTo(100);
        assertThat(status().isTrusted(0)).isTrue();
        answer(endpoint, 3);
        assertThat(status().circuit()).isEqualTo(Circuit.closed());
    }

    /** SE-1. */
    @Test
    void an_overloaded_endpoint_gets_a_third_fewer_requests_and_one_more_for_each_answer() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(24);
        answer(endpoint, 1);
        assertThat(status().limit()).isEqualTo(24);
        scorer.answering(_ -> Answer.failed(SOON, "http-429"));
        ask(endpoint, 1);
        assertThat(status().limit()).isEqualTo(16);
        scorer.answering(_ -> Answer.scored(SOON));
        ask(endpoint, 16);
        assertThat(status().limit()).as("answers of a full endpoint").isBetween(20, 24);
    }

    /** SE-1, P-9. */
    @Test
    void a_request_beyond_the_limit_is_handed_back_and_not_queued() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(4);
        scorer.answering(_ -> Answer.none());
        ask(endpoint, 6);
        assertThat(scorer.open()).isEqualTo(4);
        assertThat(handedBack()).containsExactly(5L, 6L);
    }

    /** SE-3. */
    @Test
    void requests_wait_for_one_probe_and_a_probe_that_fails_ends_them() {
        scorer.lookedUpAs(new ScorerPort.Lookup.Failed(ScorerFault.passing("refused", "nobody")));
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(4);
        ask(endpoint, 4);
        assertThat(scorer.lookups()).isEqualTo(1);
        assertThat(scorer.asked()).isEmpty();
        assertThat(status().describe()).isEqualTo("it:1: 0 answered, 4 failed, the last time: refused: nobody");
        scorer.lookedUpAs(new ScorerPort.Lookup.Found(ServerProfile.plain("scripted", false)));
        answer(endpoint, 2);
        assertThat(scorer.lookups()).isEqualTo(2);
        assertThat(status().answered()).isEqualTo(2);
    }

    /** SE-3: the model that a server had not listed is looked up again. */
    @Test
    void a_status_404_that_may_pass_makes_it_probe_again() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(4);
        scorer.answering(_ -> Answer.failed(SOON, "http-404"));
        ask(endpoint, 1);
        ask(endpoint, 1);
        assertThat(scorer.lookups()).isEqualTo(2);
    }

    /** SE-5. */
    @Test
    void an_endpoint_that_was_taken_out_is_asked_the_canary_at_growing_intervals_until_it_answers() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(4);
        answer(endpoint, 1);
        scorer.answering(_ -> Answer.failed(SOON, "refused"));
        endpoint.tell(new ScorerEndpoint.TakeOut("it answered nothing"));
        int before = scorer.asked().size();
        world.pass(Duration.ofSeconds(8));
        assertThat(scorer.asked().size() - before)
                .as("after 1, 3 and 7 seconds")
                .isEqualTo(3);
        assertThat(status().describe()).endsWith(", out: it answered nothing");
        scorer.answering(_ -> Answer.scored(SOON));
        world.pass(Duration.ofSeconds(8));
        assertThat(status().isOut()).isFalse();
    }

    /** SE-2. */
    @Test
    void an_endpoint_that_is_taken_out_or_stops_ends_all_its_exchanges() {
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(4);
        scorer.answering(_ -> Answer.none());
        ask(endpoint, 3);
        endpoint.tell(new ScorerEndpoint.TakeOut("it answered nothing"));
        world.settle();
        assertThat(scorer.open()).isZero();
        assertThat(ended()).hasSize(3).allSatisfy(ended -> assertThat(ended.attempt())
                .isInstanceOfSatisfying(
                        ScorerAttempt.Failed.class,
                        failed -> assertThat(failed.fault().code()).isEqualTo("silent")));
        ask(endpoint, 2);
        world.close();
        assertThat(scorer.open()).isZero();
    }

    /** SE-1, SE-2: whatever happens, every request ends once and its place is free afterwards. */
    @Property(tries = 60)
    void no_place_is_ever_lost(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        ActorRef<ScorerEndpoint.Command> endpoint = endpoint(5);
        scorer.answering(_ -> switch (random.nextInt(5)) {
            case 0 -> Answer.failed(SOON, "http-503");
            case 1 -> Answer.failed(SOON, "bad-json");
            case 2 -> Answer.none();
            default -> Answer.scored(Duration.ofMillis(random.nextInt(1, 400)));
        });
        List<Long> givenUp = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            switch (random.nextInt(8)) {
                case 0 -> {
                    long unwanted = random.nextLong(number + 1);
                    givenUp.add(unwanted);
                    endpoint.tell(new ScorerEndpoint.GiveUp(unwanted));
                }
                case 1 -> world.pass(Duration.ofMillis(random.nextInt(1, 2000)));
                case 2 -> {
                    if (random.nextInt(8) == 0) {
                        endpoint.tell(new ScorerEndpoint.TakeOut("it answered nothing"));
                    }
                }
                default -> endpoint.tell(new ScorerEndpoint.Ask(++number, call()));
            }
            assertThat(scorer.open()).isLessThanOrEqualTo(5 + 1); // the canary takes no place
        }
        world.pass(ScriptedScorer.TIMEOUT.multipliedBy(2));
        List<Long> ends = new ArrayList<>(handedBack());
        ended().forEach(ended -> ends.add(ended.number()));
        assertThat(ends).as("seed %d: each ends once", seed).doesNotHaveDuplicates();
        for (long asked = 1; asked <= number; asked++) {
            assertThat(ends.contains(asked) || givenUp.contains(asked))
                    .as("seed %d: request %d ends", seed, asked)
                    .isTrue();
        }
        int limit = latestStatus().map(EndpointStatus::limit).orElse(5);
        int open = scorer.open();
        reports.clear();
        scorer.answering(_ -> Answer.none());
        for (int i = 0; i < 7; i++) {
            endpoint.tell(new ScorerEndpoint.Ask(++number, call()));
        }
        world.pass(MOMENT);
        assertThat(handedBack())
                .as("seed %d: all %d places are free", seed, limit)
                .hasSize(7 - limit);
        assertThat(scorer.open() - open).isBetween(limit, limit + 1);
    }

    private ActorRef<ScorerEndpoint.Command> endpoint(int concurrency) {
        ScoringSettings settings = TestScoring.with("concurrency=" + concurrency);
        ActorRef<ScorerPool.Report> pool = world.spawn(
                Behaviors.receiveMessage(report -> {
                    reports.add(report);
                    return Behaviors.same();
                }),
                "pool");
        return world.spawn(
                ScorerEndpoint.create(
                        scorer,
                        settings,
                        ScoringMethod.of(settings),
                        () -> world.now().toNanos(),
                        pool),
                "endpoint");
    }

    private void fail(ActorRef<ScorerEndpoint.Command> endpoint, int times) {
        scorer.answering(_ -> Answer.failed(SOON, "http-500"));
        for (int i = 0; i < times; i++) {
            ask(endpoint, 1);
        }
    }

    private void answer(ActorRef<ScorerEndpoint.Command> endpoint, int times) {
        scorer.answering(_ -> Answer.scored(SOON));
        for (int i = 0; i < times; i++) {
            ask(endpoint, 1);
        }
    }

    private void ask(ActorRef<ScorerEndpoint.Command> endpoint, int atOnce) {
        for (int i = 0; i < atOnce; i++) {
            endpoint.tell(new ScorerEndpoint.Ask(++number, call()));
        }
        world.pass(MOMENT);
    }

    private static ScorerCall call() {
        return new ScorerCall(ScriptedScorer.REQUEST, "is it blue?");
    }

    private EndpointStatus status() {
        return latestStatus().orElseThrow();
    }

    private Optional<EndpointStatus> latestStatus() {
        return reports.isEmpty()
                ? Optional.empty()
                : Optional.of(reports.getLast().status());
    }

    private List<ScorerPool.Ended> ended() {
        return reports.stream()
                .filter(ScorerPool.Ended.class::isInstance)
                .map(ScorerPool.Ended.class::cast)
                .toList();
    }

    private List<Long> handedBack() {
        return reports.stream()
                .filter(ScorerPool.HandedBack.class::isInstance)
                .map(report -> ((ScorerPool.HandedBack) report).number())
                .toList();
    }
}
