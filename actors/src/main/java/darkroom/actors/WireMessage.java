package darkroom.actors;

/**
 * Everything that crosses from node to node, complete. Whatever else is told to an actor on another node is not sent: there is
 * no serializer for it, and Pekko says so in the log.
 *
 * <p>A message that is added here needs an id in {@link WireClasses} and a new {@link WireVersion}.
 */
public sealed interface WireMessage
        permits WorkDesk.Words,
                WorkDesk.Heartbeat,
                WorkDesk.Finished,
                WorkDesk.Failed,
                LeasedWorker.Perform,
                LeasedWorker.Stop,
                Gate.Join,
                Gate.Present,
                Gate.Leaving,
                Gate.Ails,
                Gate.AskStatus,
                NodeAgent.Welcome,
                NodeAgent.TurnedAway,
                NodeAgent.JoinAgain,
                NodeAgent.RosterIs,
                NodeAgent.StepsOver,
                NodeAgent.Dismissed,
                ClusterStatus {}
