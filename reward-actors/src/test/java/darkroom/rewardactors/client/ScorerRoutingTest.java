package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.ScoreOutcome;
import darkroom.actors.device.ScoreOutcome.Scored;
import darkroom.actors.device.ScoreOutcome.Unscored;
import darkroom.actors.run.SimulatedWorld;
import darkroom.config.ScoringSettings;
import darkroom.rewardactors.client.ScriptedScorer.Answer;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

/** The laws SP-1 to SP-9 of a pool and its endpoints, in virtual time. */
class ScorerRoutingTest {
    private static final Duration SOON = Duration.ofMillis(20);

    private SimulatedWorld world;
    private ActorRef<ScoreOutcome> replyTo;
    private final List<ScriptedScorer> scorers = new ArrayList<>();
    private final List<ScoreOutcome> outcomes = new ArrayList<>();
    private final List<ScorerPool.PoolStatus> published = new ArrayList<>();

    @BeforeEach
    @BeforeTry
    void open() {
        world = new SimulatedWorld(11);
        scorers.clear();
        outcomes.clear();
        published.clear();
        replyTo = world.spawn(
                Behaviors.receiveMessage(outcome -> {
                    outcomes.add(outcome);
                    return Behaviors.same();
                }),
                "asker");
    }

    @AfterEach
    @AfterTry
    void close() {
        world.close();
    }

    /** SP-2. */
    @Test
    void a_late_answer_is_requested_from_the_other_endpoint_and_the_first_request_is_given_up() {
        ActorRef<ScorerPool.Command> pool = pool(2, "concurrency=4", "timeout=30s");
        ask(pool, 40);
        world.pass(Duration.ofSeconds(1));
        assertThat(outcomes).hasSize(40);
        int next = total();
        scorers.forEach(scorer -> scorer.answering(_ -> total() == next ? Answer.none() : Answer.scored(SOON)));
        ask(pool, 1);
        world.pass(Duration.ofMillis(200));
        assertThat(outcomes).hasSize(41).allMatch(Scored.class::isInstance);
        assertThat(outcomes.getLast().attempts()).isEqualTo(2);
        assertThat(status().hedged()).isEqualTo(1);
        assertThat(scorers.stream().mapToInt(ScriptedScorer::givenUp).sum()).isEqualTo(1);
        assertThat(status().inFlight()).isZero();
    }

    /** SP-2. */
    @Test
    void second_requests_are_a_small_share_of_the_first_ones() {
        ActorRef<ScorerPool.Command> pool = pool(2, "concurrency=50", "timeout=30s");
        ask(pool, 100);
        world.pass(Duration.ofSeconds(1));
        scorers.forEach(scorer -> scorer.answering(_ -> Answer.scored(Duration.ofMillis(80))));
        ask(pool, 100);
        world.pass(Duration.ofSeconds(5));
        assertThat(outcomes).hasSize(200);
        assertThat(status().hedged()).isBetween(1L, 1 + Math.round(200 * HedgeBudget.SHARE));
    }

    /** SP-3. */
    @Test
    void requests_at_an_endpoint_that_falls_silent_go_to_another_and_count_no_attempt() {
        ActorRef<ScorerPool.Command> pool = pool(2, "concurrency=4", "attempts=1", "hedging=false");
        ask(pool, 40);
        world.pass(Duration.ofSeconds(1));
        scorers.get(0).answering(_ -> Answer.none());
        ask(pool, 40);
        world.pass(Duration.ofSeconds(3));
        assertThat(outcomes).hasSize(80).allMatch(Scored.class::isInstance);
        assertThat(status().describe().get(0)).contains("out: it answered nothing while others answered");
    }

    /** SP-3: the last endpoint stays in service. */
    @Test
    void endpoints_that_fall_silent_together_are_not_all_taken_out() {
        ActorRef<ScorerPool.Command> pool = pool(3, "concurrency=4", "attempts=1");
        ask(pool, 60);
        world.pass(Duration.ofSeconds(1));
        scorers.forEach(scorer -> scorer.answering(_ -> Answer.none()));
        ask(pool, 12);
        world.pass(Duration.ofSeconds(20));
        assertThat(status().endpoints())
                .filteredOn(endpoint -> !endpoint.isOut())
                .hasSize(1);
        world.pass(Duration.ofMinutes(10));
        assertThat(outcomes).hasSize(72);
        assertThat(outcomes.subList(60, 72)).allMatch(Unscored.class::isInstance);
    }

    /** SP-4. */
    @Test
    void a_failing_endpoint_is_asked_last_and_one_at_a_time_until_it_answers() {
        ActorRef<ScorerPool.Command> pool = pool(2, "concurrency=2", "attempts=2");
        scorers.get(0).answering(_ -> Answer.failed(SOON, "http-500"));
        ask(pool, 20);
        world.pass(Duration.ofSeconds(3));
        assertThat(outcomes).hasSize(20);
        int before = scorers.get(0).asked().size();
        askOneByOne(pool, 5);
        assertThat(scorers.get(0).asked()).as("the circuit is open").hasSize(before);
        world.pass(ScorerEndpoint.OPEN_FOR);
        scorers.get(0).answering(_ -> Answer.scored(SOON));
        askOneByOne(pool, 8);
        assertThat(scorers.get(0).asked().size() - before).as("asked again").isPositive();
        assertThat(status().endpoints().get(0).circuit()).isEqualTo(Circuit.closed());
    }

    /** SP-8. */
    @Test
    void retries_beyond_the_budget_wait_two_seconds() {
        ActorRef<ScorerPool.Command> pool = pool(1, "concurrency=400", "attempts=2");
        scorers.get(0).answering(_ -> Answer.failed(SOON, "http-500"));
        ask(pool, 400);
        world.pass(ScorerPool.PAUSE_BEYOND_BUDGET);
        assertThat(total()).as("200 saved retries, and a fifth of the calls").isBetween(600, 400 + 200 + 80);
        world.pass(Duration.ofSeconds(10));
        assertThat(total()).isEqualTo(800);
        assertThat(outcomes).hasSize(400).allMatch(Unscored.class::isInstance);
    }

    /** SP-7, P-9. */
    @Test
    void one_more_than_the_queue_takes_is_busy_at_once() {
        ActorRef<ScorerPool.Command> pool = pool(1, "concurrency=2");
        scorers.get(0).answering(_ -> Answer.none());
        ask(pool, 2 + ScorerPool.WAITING_MAX);
        world.settle();
        assertThat(outcomes).isEmpty();
        assertThat(status().waiting()).isEqualTo(ScorerPool.WAITING_MAX);
        ask(pool, 1);
        world.settle();
        assertThat(outcomes).singleElement().isInstanceOfSatisfying(Unscored.class, busy -> assertThat(busy.reason())
                .isEqualTo("busy: more than 8192 requests wait for scorer-0"));
    }

    /** SP-6. */
    @Test
    void a_pool_that_is_closed_answers_all_requests_and_ends_all_exchanges() {
        ActorRef<ScorerPool.Command> pool = pool(2, "concurrency=2");
        scorers.forEach(scorer -> scorer.answering(_ -> Answer.none()));
        ask(pool, 10);
        world.pass(SOON);
        pool.tell(new ScorerPool.Close());
        world.settle();
        assertThat(outcomes).hasSize(10).allSatisfy(outcome -> assertThat(((Unscored) outcome).reason())
                .isEqualTo("closed: the client of scorer-0, scorer-1 was closed"));
        assertThat(scorers).allMatch(scorer -> scorer.open() == 0);
    }

    /** SP-9. */
    @Test
    void an_endpoint_whose_actor_dies_with_requests_in_flight_costs_attempts_and_no_image() {
        ActorRef<ScorerPool.Command> pool = pool(2, "concurrency=4", "attempts=3");
        scorers.get(0).answering(number -> number == 3 ? new Answer.Fatal() : Answer.none());
        ask(pool, 8);
        world.pass(Duration.ofMillis(900));
        assertThat(outcomes).hasSize(8).allMatch(Scored.class::isInstance);
        assertThat(scorers.get(0).open()).as("its exchanges have ended").isZero();
        assertThat(status().inFlight()).isZero();
        scorers.get(0).answering(_ -> Answer.scored(SOON));
        int before = scorers.get(0).asked().size();
        world.pass(ScorerPool.RESTART_AFTER);
        ask(pool, 8);
        world.pass(Duration.ofSeconds(1));
        assertThat(outcomes).hasSize(16).allMatch(Scored.class::isInstance);
        assertThat(scorers.get(0).asked().size()).as("another actor asks it").isGreaterThan(before);
    }

    /** SP-9. */
    @Test
    void while_the_actor_of_the_only_endpoint_is_replaced_requests_wait() {
        ActorRef<ScorerPool.Command> pool = pool(1, "concurrency=4", "attempts=2");
        scorers.get(0).answering(number -> number == 0 ? new Answer.Fatal() : Answer.scored(SOON));
        ask(pool, 4);
        world.pass(Duration.ofSeconds(2));
        assertThat(outcomes).hasSize(4).allMatch(Scored.class::isInstance);
    }

    /** SP-1, SP-6, P-3, P-4: whatever endpoints do, each request is answered once and every place is free at the end. */
    @Property(tries = 60)
    void every_request_is_answered_once_and_no_place_is_lost(@ForAll long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int concurrency = random.nextInt(1, 6);
        ActorRef<ScorerPool.Command> pool =
                pool(random.nextInt(1, 4), "concurrency=" + concurrency, "attempts=" + random.nextInt(1, 4));
        for (ScriptedScorer scorer : scorers) {
            int bad = random.nextInt(0, 10);
            scorer.answering(_ -> random.nextInt(10) >= bad
                    ? Answer.scored(Duration.ofMillis(random.nextInt(1, 60)))
                    : switch (random.nextInt(6)) {
                        case 0 -> Answer.none();
                        case 1 -> Answer.refused(SOON);
                        case 2 -> Answer.failed(SOON, "http-503");
                        case 3 -> random.nextInt(6) == 0 ? new Answer.Fatal() : Answer.scored(SOON);
                        case 4 -> Answer.scored(Duration.ofSeconds(random.nextInt(1, 20)));
                        default -> Answer.failed(SOON, "bad-json");
                    });
        }
        int asked = 0;
        for (int i = 0; i < 20; i++) {
            int now = random.nextInt(1, 15);
            ask(pool, now);
            asked += now;
            world.pass(Duration.ofMillis(random.nextInt(1, 1500)));
        }
        int all = asked;
        assertThat(world.runUntil(() -> outcomes.size() == all, Duration.ofHours(2)))
                .as("seed %d: %d of %d are answered", seed, outcomes.size(), all)
                .isTrue();
        world.pass(Duration.ofMinutes(2));
        assertThat(outcomes).as("seed %d: each once", seed).hasSize(all);
        assertThat(status().inFlight()).as("seed %d: places taken", seed).isZero();
        assertThat(status().inWork()).as("seed %d: in work", seed).isZero();
        assertThat(scorers).allSatisfy(scorer -> {
            assertThat(scorer.openMost()).as("seed %d", seed).isLessThanOrEqualTo(concurrency + 1); // and a canary
            assertThat(scorer.open()).as("seed %d", seed).isLessThanOrEqualTo(1);
        });
    }

    private int total() {
        return scorers.stream().mapToInt(scorer -> scorer.asked().size()).sum();
    }

    private ScorerPool.PoolStatus status() {
        return published.getLast();
    }

    private void ask(ActorRef<ScorerPool.Command> pool, int times) {
        for (int i = 0; i < times; i++) {
            pool.tell(new ScorerPool.Score(ScriptedScorer.REQUEST, replyTo));
        }
    }

    private void askOneByOne(ActorRef<ScorerPool.Command> pool, int times) {
        for (int i = 0; i < times; i++) {
            ask(pool, 1);
            world.pass(Duration.ofMillis(100));
        }
    }

    private ActorRef<ScorerPool.Command> pool(int endpoints, String... overrides) {
        for (int i = 0; i < endpoints; i++) {
            scorers.add(new ScriptedScorer(world, "scorer-" + i));
        }
        ScoringSettings settings = TestScoring.with(overrides);
        return world.spawn(
                ScorerPool.create(new ScorerPool.Setup(
                        scorers,
                        settings,
                        ScoringMethod.of(settings),
                        ScorerAccess.NONE,
                        ScorerClient.PAUSE_FIRST,
                        () -> world.now().toNanos(),
                        status -> {
                            if (published.isEmpty() || !published.getLast().equals(status)) {
                                published.add(status);
                            }
                        })),
                "pool");
    }
}
