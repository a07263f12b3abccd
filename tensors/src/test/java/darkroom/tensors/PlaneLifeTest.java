package darkroom.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import io.aeron.exceptions.DriverTimeoutException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The states of a plane: it runs, ends and has ended, and never goes back. */
final class PlaneLifeTest {
    private final PlaneLife life = new PlaneLife();
    private final List<String> announced = new ArrayList<>();

    @Test
    void a_closed_plane_ends_without_a_loss() {
        life.onLost(announced::add);
        assertThat(life.running()).isTrue();
        life.close();
        assertThat(life.running()).isFalse();
        assertThat(life.ended()).isFalse();
        life.end();
        life.announceLoss();
        assertThat(life.ended()).isTrue();
        assertThat(life.loss()).isEmpty();
        assertThat(announced).isEmpty();
    }

    @Test
    void the_first_reason_of_a_loss_counts_and_is_announced_once() {
        life.onLost(announced::add);
        life.lose("the driver timed out");
        life.lose("the client was closed");
        life.close();
        assertThat(life.running()).isFalse();
        life.end();
        life.lose("later");
        life.announceLoss();
        life.announceLoss();
        assertThat(life.loss()).contains("the driver timed out");
        assertThat(announced).containsExactly("the driver timed out");
    }

    @Test
    void a_loss_in_the_last_round_of_a_closed_plane_is_announced_too() {
        life.onLost(announced::add);
        life.close();
        life.lose("mapped memory is gone");
        life.end();
        life.announceLoss();
        assertThat(announced).containsExactly("mapped memory is gone");
    }

    @Test
    void an_ended_plane_neither_runs_nor_loses_anything() {
        life.end();
        life.close();
        life.lose("later");
        assertThat(life.ended()).isTrue();
        assertThat(life.running()).isFalse();
        assertThat(life.loss()).isEmpty();
    }

    @Test
    void an_error_ends_a_plane_only_if_the_driver_has_given_it_up() {
        life.failed(new IllegalStateException("one message was malformed"));
        assertThat(life.running()).isTrue();
        life.failed(new DriverTimeoutException("no heartbeat"));
        assertThat(life.running()).isFalse();
        assertThat(life.loss()).hasValueSatisfying(why -> assertThat(why).contains("no heartbeat"));
    }
}
