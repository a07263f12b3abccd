package darkroom.actors;

import java.util.HashMap;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A gate as one node sees it across a bad network, and that node as the gate sees it. The desks are as far as the gate. */
final class UnreliableGate extends SwitchBehavior<Gate.Command> {
    private final ActorContext<Gate.Command> context;
    private final ActorRef<Gate.Command> gate;
    private final Desks farDesks;
    private final UnreliableDesk.Weather weather;
    private final Map<ActorRef<NodeAgent.Command>, ActorRef<NodeAgent.Command>> seen = new HashMap<>();

    private UnreliableGate(
            ActorContext<Gate.Command> context,
            ActorRef<Gate.Command> gate,
            Desks farDesks,
            UnreliableDesk.Weather weather) {
        this.context = context;
        this.gate = gate;
        this.farDesks = farDesks;
        this.weather = weather;
    }

    static Behavior<Gate.Command> create(ActorRef<Gate.Command> gate, Desks farDesks, UnreliableDesk.Weather weather) {
        return Behaviors.setup(context -> new UnreliableGate(context, gate, farDesks, weather));
    }

    @Override
    Behavior<Gate.Command> onMessage(Gate.Command command) {
        Gate.Command crossing =
                switch (command) {
                    case Gate.Join(NodeCard card, ActorRef<NodeAgent.Command> agent) ->
                        new Gate.Join(card, across(agent));
                    case Gate.Present(String node, long roster, long over, ActorRef<NodeAgent.Command> agent) ->
                        new Gate.Present(node, roster, over, across(agent));
                    default -> command;
                };
        weather.carry(context, gate, crossing, weather.copies());
        return this;
    }

    /** The agent as the gate sees it. */
    private ActorRef<NodeAgent.Command> across(ActorRef<NodeAgent.Command> agent) {
        return seen.computeIfAbsent(agent, near -> context.spawnAnonymous(far(near)));
    }

    private Behavior<NodeAgent.Command> far(ActorRef<NodeAgent.Command> agent) {
        return Behaviors.setup(far -> Behaviors.receiveMessage(command -> {
            NodeAgent.Command crossing = command instanceof NodeAgent.Welcome welcome
                    ? new NodeAgent.Welcome(welcome.settings(), farDesks, welcome.roster())
                    : command;
            weather.carry(far, agent, crossing, weather.copies());
            return Behaviors.same();
        }));
    }
}
