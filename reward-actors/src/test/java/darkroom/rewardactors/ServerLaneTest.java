package darkroom.rewardactors;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.ScoringSettings;
import java.net.URI;
import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.Test;

/** SP-4: a server that failed is trusted again when it answers, however often it was looked at in between. */
class ServerLaneTest {
    private final ServerLane lane = lane();

    @Test
    void looking_at_a_server_that_failed_does_not_keep_it_from_being_asked() throws Exception {
        fail(10);
        assertThat(lane.trusted()).isFalse();
        ScorerClientTest.await("it has rested", lane::trusted);
        for (int i = 0; i < 100; i++) {
            assertThat(lane.trusted()).isTrue();
        }
    }

    @Test
    void a_request_that_is_given_up_does_not_keep_it_from_being_asked() throws Exception {
        fail(10);
        ScorerClientTest.await("it has rested", lane::trusted);
        for (int i = 0; i < 100; i++) {
            PoolTry one = begun();
            assertThat(lane.trusted()).as("one at a time").isFalse();
            lane.forget(one);
            assertThat(lane.trusted()).isTrue();
        }
    }

    @Test
    void three_answers_in_a_row_make_it_one_like_the_others() throws Exception {
        fail(10);
        ScorerClientTest.await("it has rested", lane::trusted);
        for (int i = 0; i < 3; i++) {
            lane.end(begun(), new ScorerAttempt.Succeeded(new LabelScore.Believed(.5, 1), "it"), System.nanoTime());
        }
        PoolTry one = begun();
        PoolTry other = begun();
        assertThat(lane.trusted()).isTrue();
        lane.forget(one);
        lane.forget(other);
    }

    @Test
    void a_failure_after_the_rest_makes_it_rest_again() throws Exception {
        fail(10);
        ScorerClientTest.await("it has rested", lane::trusted);
        fail(1);
        assertThat(lane.describe()).contains("11 failed");
        ScorerClientTest.await("it has rested again", lane::trusted);
    }

    /** Races of one call add to the set of servers to avoid while the pool looks through it, each under a lock of its own. */
    @Test
    void the_servers_that_a_call_avoids_may_be_added_to_while_they_are_read() {
        Set<ServerLane> avoid = ScorerPool.none();
        avoid.add(lane);
        avoid.add(lane());
        Iterator<ServerLane> reader = avoid.iterator();
        reader.next();
        avoid.add(lane());
        assertThat(reader.next()).isNotNull();
    }

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            ScorerFault fault = ScorerFault.passing("http-500", "down");
            lane.end(begun(), new ScorerAttempt.Failed(fault), System.nanoTime());
        }
    }

    private PoolTry begun() {
        PoolTry one = new PoolTry(lane, System.nanoTime());
        lane.begin(one);
        return one;
    }

    private static ServerLane lane() {
        ScoringSettings settings = TestScoring.with();
        var executor = Executors.newVirtualThreadPerTaskExecutor();
        var timer = new ScheduledThreadPoolExecutor(0);
        ScorerHttp http = new ScorerHttp(executor, timer, Duration.ofSeconds(1), ScorerAccess.NONE);
        ScorerServer server = new ScorerServer(
                URI.create("http://127.0.0.1:9"),
                settings,
                ScoringMethod.of(settings),
                ScorerAccess.NONE,
                http,
                executor);
        return new ServerLane(server, 8, Duration.ofMillis(50));
    }
}
