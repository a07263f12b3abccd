package darkroom.rewardactors.client;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.ScoringSettings;
import darkroom.rewardactors.protocol.LabelScore;
import darkroom.rewardactors.protocol.ScorerFault;
import darkroom.rewardactors.protocol.ScoringMethod;
import java.net.URI;
import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import org.junit.jupiter.api.Test;

/** SP-4: a server that failed is trusted again when it answers, however often it was checked in between. */
class ScorerEndpointTest {
    private final ScorerEndpoint endpoint = endpoint();

    @Test
    void looking_at_a_server_that_failed_does_not_keep_it_from_being_asked() throws Exception {
        fail(10);
        assertThat(endpoint.trusted()).isFalse();
        ScorerClientTest.await("it has rested", endpoint::trusted);
        for (int i = 0; i < 100; i++) {
            assertThat(endpoint.trusted()).isTrue();
        }
    }

    @Test
    void a_request_that_is_given_up_does_not_keep_it_from_being_asked() throws Exception {
        fail(10);
        ScorerClientTest.await("it has rested", endpoint::trusted);
        for (int i = 0; i < 100; i++) {
            PooledRequest one = begun();
            assertThat(endpoint.trusted()).as("one at a time").isFalse();
            endpoint.forget(one);
            assertThat(endpoint.trusted()).isTrue();
        }
    }

    @Test
    void three_answers_in_a_row_make_it_one_like_the_others() throws Exception {
        fail(10);
        ScorerClientTest.await("it has rested", endpoint::trusted);
        for (int i = 0; i < 3; i++) {
            endpoint.end(begun(), new ScorerAttempt.Succeeded(new LabelScore.Believed(.5, 1), "it"), System.nanoTime());
        }
        PooledRequest one = begun();
        PooledRequest other = begun();
        assertThat(endpoint.trusted()).isTrue();
        endpoint.forget(one);
        endpoint.forget(other);
    }

    @Test
    void a_failure_after_the_rest_makes_it_rest_again() throws Exception {
        fail(10);
        ScorerClientTest.await("it has rested", endpoint::trusted);
        fail(1);
        assertThat(endpoint.describe()).contains("11 failed");
        ScorerClientTest.await("it has rested again", endpoint::trusted);
    }

    /** Races of one call add to the set of servers to avoid while the pool reads it, each under its own lock. */
    @Test
    void the_servers_that_a_call_avoids_may_be_added_to_while_they_are_read() {
        Set<ScorerEndpoint> avoid = ScorerPool.none();
        avoid.add(endpoint);
        avoid.add(endpoint());
        Iterator<ScorerEndpoint> reader = avoid.iterator();
        reader.next();
        avoid.add(endpoint());
        assertThat(reader.next()).isNotNull();
    }

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            ScorerFault fault = ScorerFault.passing("http-500", "down");
            endpoint.end(begun(), new ScorerAttempt.Failed(fault), System.nanoTime());
        }
    }

    private PooledRequest begun() {
        PooledRequest one = new PooledRequest(endpoint, System.nanoTime());
        endpoint.begin(one);
        return one;
    }

    private static ScorerEndpoint endpoint() {
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
        return new ScorerEndpoint(server, 8, Duration.ofMillis(50));
    }
}
